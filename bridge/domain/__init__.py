"""The rules, in pure Python, and the ports the services need: no I/O and no clock."""
