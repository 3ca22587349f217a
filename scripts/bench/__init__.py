"""avelzoo's speed against a plain reference of the same mathematics and against what the arithmetic alone needs.

``make bench``, or ``python -m bench`` in this folder's parent. Every section is a module with a function
``measure(options) -> Section``; `bench.__main__` lists them.
"""
