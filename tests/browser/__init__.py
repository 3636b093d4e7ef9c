"""Browser tests: the pages as people meet them, in Chromium, against a real site."""
