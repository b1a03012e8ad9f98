import { render } from 'preact';
import { App } from './app.tsx';
import { takeTokenFromAddress } from './server.ts';
import { applyTheme } from './theme.ts';

takeTokenFromAddress();
applyTheme();
render(<App />, document.getElementById('page')!);
