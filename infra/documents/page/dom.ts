import type { Choices } from './choices.ts';

type Child = Node | string | undefined | false;
/** Attributes of an element by name, and listeners by `on` and the name of their event. */
type Properties = Readonly<
  Record<string, string | number | boolean | undefined | ((event: never) => void)>
>;

/**
 * Returns a new element. Texts become text nodes: nothing that a file or the API says is read as HTML.
 *
 * @param properties `true` sets an attribute without a value, and `false` none; those of ARIA have
 * these words as their values. An undefined one is left out.
 */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value as (event: Event) => void);
    } else if (typeof value === 'boolean' && !name.startsWith('aria-')) {
      element.toggleAttribute(name, value);
    } else if (value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  put(element, ...children);
  return element;
}

/** Replaces the content of an element. */
export function put(
  element: HTMLElement,
  ...children: readonly (Child | readonly Child[])[]
): void {
  element.replaceChildren(
    ...((children.flat() as Child[]).filter(
      (child) => child !== undefined && child !== false && child !== '',
    ) as (Node | string)[]),
  );
}

/**
 * Returns a group of radio buttons.
 *
 * @param layout class of the element around them.
 */
export function radios<Value extends string>(
  name: string,
  { legend, choices }: Choices<Value>,
  chosen: Value,
  layout?: string,
): HTMLFieldSetElement {
  const buttons = Object.entries<readonly [string, string]>(choices).map(([value, [text, help]]) =>
    el(
      'label',
      { class: 'choice' },
      el('input', { type: 'radio', name, value, checked: value === chosen }),
      el('span', {}, text, help !== '' && el('small', {}, help)),
    ),
  );
  return el('fieldset', {}, el('legend', {}, legend), el('div', { class: layout }, buttons));
}

/** Returns a row of buttons. */
export function actions(...buttons: readonly (HTMLElement | false)[]): HTMLElement {
  return el('p', { class: 'actions' }, ...buttons);
}

/** Moves the focus, and with it a screen reader, to a heading that has just appeared. */
export function focusOn(heading: HTMLElement): void {
  heading.tabIndex = -1;
  heading.focus();
}

const status = el('p', { role: 'status', class: 'hidden' });

/** Element in which {@link announce} writes; it is there before its first text, as readers need. */
export const liveRegion: HTMLElement = status;

/** Has a screen reader say a text, without moving the focus. */
export function announce(text: string): void {
  if (status.textContent !== text) status.textContent = text;
}

/**
 * Asks once whether to do something, in a dialog that keeps the focus.
 *
 * @returns whether the reader agrees.
 */
export function confirm(
  heading: string,
  lines: readonly string[],
  confirmText: string,
  cancelText: string,
): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = el(
      'dialog',
      { 'aria-labelledby': 'dialog-heading' },
      el('h2', { id: 'dialog-heading' }, heading),
      lines.map((line) => el('p', {}, line)),
      el(
        'p',
        { class: 'actions' },
        el(
          'button',
          { type: 'button', class: 'main', onclick: () => dialog.close('yes') },
          confirmText,
        ),
        // Who presses a key too often has said no.
        el(
          'button',
          { type: 'button', autofocus: true, onclick: () => dialog.close('') },
          cancelText,
        ),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
