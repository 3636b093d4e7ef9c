"""One's own account: sign-ins, password, tokens, mail."""
