print("buffered")
