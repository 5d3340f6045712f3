// The theme ties the menu and the list of contents to the first buttons for them in the page. These stand in its header,
// which is hidden here: without them it takes those beside the title. Runs before the theme's own scripts.
for (const hidden of document.querySelectorAll("header.bd-header .sidebar-toggle")) hidden.remove();

// Who has chosen a part of the page wants to see it, not the list that lies on top of it.
document.addEventListener("click", (event) => event.target.closest("dialog a[href^='#']")?.closest("dialog").close());
