print("the queue of the program was imported")
