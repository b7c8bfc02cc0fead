"""Beschlussvorlage and Beschluss as PDF/UA-1 and as DOCX, from the evidence of a decision."""

from reallabor.sharing.papers.writing import (
    decision_docx,
    decision_pdf,
    file_name,
    proposal_docx,
    proposal_pdf,
)

__all__ = ["decision_docx", "decision_pdf", "file_name", "proposal_docx", "proposal_pdf"]
