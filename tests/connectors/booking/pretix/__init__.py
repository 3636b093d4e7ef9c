"""pretix: the contract on the stand-in and on a real one, and what only a stand-in can do wrong."""
