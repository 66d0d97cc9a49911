print("the tomli of the program was imported")
