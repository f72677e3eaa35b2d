"""Given names that are common enough in many countries to be recognised in a text without a list of who took part.

None of them is also a common word of English or a product's name.
"""

from typing import Final

_NAMES: Final = """
Aaron Adam Ahmed Alex Alice Ali Amanda Amir Amy Ana Andrea Andrew Anna Anne Anton Antonio Arjun Barbara Ben
Benjamin Bob Boris Brian Carlos Carol Caroline Chen Chloe Chris Christian Christina Claire Clara Dan Daniel Dave
David Deepak Diana Diego Dmitri Dora Elena Elizabeth Emily Emma Eric Erik Erin Eva Fatima Felix Fiona Francesca
Frank Gary George Greg Hannah Hans Hassan Helen Henrik Hiroshi Ian Igor Ivan Jacob James Jan Jane Janet Jason
Javier Jeff Jennifer Jessica Jim Joe John Jonas Jorge Jose Juan Julia Julie Karen Karl Kate Katrin Keiko Kevin
Kumar Lars Laura Lena Liam Linda Lisa Lucas Lucy Luis Maria Marie Mario Martin Mary Matt Matthew Mehmet Mei
Michael Miguel Mike Mohammed Monica Nadia Natalie Natasha Nick Nicole Nina Noah Oliver Olga Omar Oscar Patricia
Paul Pedro Peter Petra Philip Pierre Priya Rachel Rahul Raj Ravi Rebecca Richard Robert Sam Samantha Samuel
Sandra Sara Sarah Sergei Simon Sofia Sophie Stefan Steve Steven Susan Sven Tanya Thomas Tim Tina Tom Vikram
Vladimir Wei Yuki Yusuf Zoe
"""
GIVEN_NAMES: Final[tuple[str, ...]] = tuple(_NAMES.split())
