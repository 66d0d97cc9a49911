print("the typing_extensions of the program was imported")
