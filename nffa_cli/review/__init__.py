"""Persons decide what the pictures show: the next question, the keys, the picture, the answer, spot checks and reports."""
