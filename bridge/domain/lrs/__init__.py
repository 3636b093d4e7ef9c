"""What our own xAPI endpoint keeps and says: senders, statements and their terms, documents."""
