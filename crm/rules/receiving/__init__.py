"""E-mail that comes in: read from mailboxes, understood, and put where it belongs."""
