"""Two runs → what differs, sample against sample, in numbers, words, tables and a page."""
