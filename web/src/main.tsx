import { render } from 'preact';
import { App } from './app';
import { followLinks } from './router';
import './styles/base.css';
import './styles/parts.css';
import './styles/pages.css';

try {
  const theme = localStorage.getItem('theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset['theme'] = theme;
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
followLinks();
const root = document.getElementById('app');
if (root) render(<App />, root);
