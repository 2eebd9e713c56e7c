print("graded")
