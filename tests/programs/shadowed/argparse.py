print("the argparse of the program was imported")
