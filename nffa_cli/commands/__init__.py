"""Commands: parse, call one function, show. One module a verb."""
