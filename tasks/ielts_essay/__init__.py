"""Essays in the manner of IELTS Writing Task 1: a chart and its title, described in 150 to 190 words."""
