import { useState } from 'preact/hooks';
import { ask, forgetToken, keepToken, ServerError } from './server.ts';

/** For those who come without the address that the program printed. */
export function LoginPage({ onDone }: { readonly onDone: () => void }) {
  const [token, setToken] = useState('');
  const [complaint, setComplaint] = useState('');
  const enter = async () => {
    keepToken(token.trim());
    try {
      await ask('/api/alerts?limit=1');
      onDone();
    } catch (error) {
      forgetToken();
      setComplaint(
        error instanceof ServerError && error.status === 401
          ? 'This token is not valid here.'
          : String((error as Error).message),
      );
    }
  };
  return (
    <main class="login">
      <h1>Waybill</h1>
      <p>
        Open the address that <code>waybill</code> printed when it started, or enter its token: the part after{' '}
        <code>#token=</code>.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          value={token}
          onInput={(e) => setToken(e.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Open the console
        </button>
      </form>
      {complaint && (
        <p class="error" role="alert">
          {complaint}
        </p>
      )}
    </main>
  );
}
