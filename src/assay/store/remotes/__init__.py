"""Stores that exchange what they hold: places (a folder, a bucket), and the transfer between two of them."""
