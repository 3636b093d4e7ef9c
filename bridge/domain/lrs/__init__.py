"""What our own xAPI endpoint keeps and says: senders, statements, what they are found by, documents."""
