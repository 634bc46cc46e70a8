"""A host whose keys are those of djangorestframework-api-key; docs/how-to/write-a-key-store.md shows these files."""
