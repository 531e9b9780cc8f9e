print("rdbkit")
