"""ScienceQA (Lu et al. 2022): school science questions with options, with and without a picture."""
