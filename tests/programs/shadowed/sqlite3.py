print("the sqlite3 of the program was imported")
