// Sets the remembered theme before anything is painted, so that a dark page does not
// flash white. It is no module, since modules wait for the whole document.
(function () {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
