"""The Streamlit front end; a file per page in pages/."""
