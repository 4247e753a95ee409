"""A declaration and its records → an inspect task: prompts, solver, scorers, teachers' and judges' tasks."""
