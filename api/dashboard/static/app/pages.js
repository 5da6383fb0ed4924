/** The pages, by the first segment of the address. */
import { BoardPage } from './pages/board.js';
import { OrdersPage } from './pages/orders.js';
import { OrderPage } from './pages/order.js';

/**
 * @typedef {import('./core/types.js').Route} Route
 * @typedef {{name: string, title: string, listed: boolean, view: (props: {route: Route}) => unknown}} Page
 */

/** @type {Page[]} */
export const pages = [
  { name: 'board', title: 'Board', listed: true, view: BoardPage },
  { name: 'orders', title: 'Orders', listed: true, view: OrdersPage },
  { name: 'order', title: 'Order', listed: false, view: OrderPage },
];

/** The page that an address is about; the board where it is about none. @param {Route} route */
export const pageOf = (route) => pages.find((page) => page.name === route.path[0]) ?? pages[0];
