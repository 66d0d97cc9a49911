print("only what the program imports is imported")
