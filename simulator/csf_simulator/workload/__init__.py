"""Transactions for a repository to be busy with, while others back it up, restore it or look."""
