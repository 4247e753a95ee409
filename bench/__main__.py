"""``python -m bench``."""

from bench.cli import main
from bench.serving.parent import end_as_asked

end_as_asked()
main()
