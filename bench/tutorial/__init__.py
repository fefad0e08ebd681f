"""The chat of the Channels tutorial, with one row saved a message, to compare with."""
