"""Grading a class, on top of nbgrader: its gradebook, its converter, its configuration.

`sandbox` is where students' code runs, `judge` compares what comes out of it, `repair` mends
notebooks, `submission` grades one, `batch` all of them, and `report` says what became of each.
"""
