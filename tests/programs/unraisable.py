class Closed:
    def __del__(self):
        raise ValueError("while collected")


Closed()
kept = Closed()
print("main ends")
