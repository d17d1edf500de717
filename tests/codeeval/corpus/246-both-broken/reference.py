pipe = (
