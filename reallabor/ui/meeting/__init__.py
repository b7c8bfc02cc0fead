"""Parts of the page Sitzung: plan, attendance, an item's figures, its vote and its resolution."""
