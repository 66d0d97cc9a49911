def load():
    import package_program.failing


try:
    import no_such_module_at_all
except ImportError as error:
    print(error)
load()
