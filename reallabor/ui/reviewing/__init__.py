"""Parts of the page Prüfpunkte: the review of one gate, and the worksheets."""
