"""Rows of files and data sets → records: pictures as files, digests, the training folder."""
