"""A self-hosted customer portal for any Django project.

Add ``portal`` to INSTALLED_APPS and include ``portal.urls`` last; README.md has the five lines. docs/reference/python.md
lists what is public; nothing else is.
"""

__version__ = "0.2.0.dev0"
