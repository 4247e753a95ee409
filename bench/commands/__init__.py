"""One function per command; `bench.cli` puts them together."""
