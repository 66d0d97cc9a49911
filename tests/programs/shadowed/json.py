print("the json of the program was imported")
