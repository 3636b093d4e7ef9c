"""A corpus of exports as booking systems and LMSs write them, made anew from a seed."""
