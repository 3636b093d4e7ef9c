"""The manager's and assessor's pages: the team, supervision, sign-off."""
