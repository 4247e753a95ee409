"""How each kind of chart is proposed, styled and drawn."""
