"""One file an experiment family; its docstring says command, time, result."""
