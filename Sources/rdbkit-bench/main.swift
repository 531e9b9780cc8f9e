print("rdbkit-bench")
