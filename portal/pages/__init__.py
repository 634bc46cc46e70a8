"""The pages that an end user sees: plain Django, server-rendered, complete without script."""
