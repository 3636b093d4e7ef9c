"""Our own xAPI endpoint at /xapi: HTTP in and out; what it means is in `bridge.services.lrs`."""
