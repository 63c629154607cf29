"""The gallery of answers: each a function from a posterior to draws, with a table and sentences."""
