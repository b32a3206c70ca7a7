//! The grammar of the route table. Each macro makes of its rows the rows that routes are found by and into the
//! operations of `/openapi.json`; that of the admin routes also into their enum and their dispatch. So the body and the
//! answer that a row names are those of its function, or the row does not compile.

/// The admin routes, by noun. `in_environment`: the call is about an environment, which `environment_id` may name.
///
/// ```text
/// "noun" in_environment "What the noun is." { rows }
/// ```
///
/// A row:
///
/// ```text
/// METHOD "/path" Variant, RIGHT, "Summary": module::function(id: IdType) takes Body answers STATUS Answer, refuses [statuses], with [hooks];
/// ```
///
/// - `(id: IdType)`: the parameter of the path; `(id: IdType, second: IdType)` where it has two, `()` where it has none.
/// - `takes Body`: a JSON body; `may_take Body`: one that may be absent.
/// - `answers STATUS Answer`; `saves Answer`: 201 when it is new, else 200; `lists Item`: 200 with a piece of a list.
/// - `refuses [409]`: statuses of refusals, in addition to those of every such call.
/// - `with [hook]`: functions that add to the operation of the document what types do not say.
///
/// A row whose function takes or answers other types does not compile, nor does one without a right.
macro_rules! admin_routes {
    ($(
        $tag:literal $place:ident $about:literal {
            $(
                $method:ident $path:literal $variant:ident, $right:ident, $summary:literal:
                $module:ident::$function:ident( $( $id:ident: $id_type:ident $(, $second:ident: $second_type:ident )? )? )
                $( takes $body:ident )? $( may_take $optional:ident )?
                $( lists $item:ident )? $( saves $saved:ident )? $( answers $status:literal $answer:ty )?
                $( , refuses [ $( $refusal:literal ),* ] )? $( , with [ $( $hook:path ),* ] )? ;
            )*
        }
    )*) => {
        /// The routes of everything that configures: a variant a row of the table.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum AdminRoute {
            $( $(
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                $variant $( (PathId<$id_type> $(, PathId<$second_type>)?) )?,
            )* )*
        }

        const ADMIN_ROWS: &[RouteRow] = &[ $( $( RouteRow {
            methods: &[stringify!($method)],
            path: $path,
            right: $right,
            route: |path| {
                // Not every path has a parameter.
                let _ = path;
                Some(Route::Admin(AdminRoute::$variant $( (path.id::<$id_type>()? $(, path.nth_id::<$second_type>(1)?)?) )?))
            },
        }, )* )* ];

        /// Answers an admin call whose caller may make it.
        pub(super) async fn answer_admin<O: Outside>(
            call: &AdminCall<'_, O>,
            route: AdminRoute,
            body: Body<O::Stream>,
        ) -> Result<Reply<O::Stream>, Failure> {
            match route {
                $( $( AdminRoute::$variant $( ($id $(, $second)?) )? => {
                    let answer = admin::$module::$function(
                        call,
                        $( &$id, $( &$second, )? )?
                        $( JsonBody::<O, $body>::new(body), )?
                        $( JsonBody::<O, Option<$optional>>::new(body), )?
                    )
                    .await?;
                    $(
                        let answer: List<$item> = answer;
                        Ok(respond(200, &answer))
                    )?
                    $(
                        let answer: Saved<$saved> = answer;
                        Ok(respond(answer.status(), &answer.record))
                    )?
                    $(
                        let answer: $answer = answer;
                        Ok(respond($status, &answer))
                    )?
                } )* )*
            }
        }

        /// The admin routes as the document has them.
        pub(super) fn admin_groups(shapes: &mut Shapes) -> Vec<Group> {
            vec![ $( {
                let mut group = Group::new($tag, $about);
                $( {
                    let operation = Operation::new(stringify!($method), $path, stringify!($variant), $right, $summary).$place();
                    $(
                        let operation = operation.parameter_of_path(stringify!($id), shapes.answered::<$id_type>());
                        $( let operation = operation.parameter_of_path(stringify!($second), shapes.answered::<$second_type>()); )?
                    )?
                    $( let operation = operation.takes(&shapes.asked::<$body>()); )?
                    $( let operation = operation.may_take(&shapes.asked::<Option<$optional>>()); )?
                    $( let operation = operation.lists::<$item>(shapes); )?
                    $( let operation = operation.saves::<$saved>(shapes); )?
                    $( let operation = operation.answers::<$answer>($status, shapes); )?
                    $( let operation = operation.refuses(&[ $( $refusal ),* ]); )?
                    $( $( let operation = $hook(operation); )* )?
                    group.operations.push(operation);
                } )*
                group
            }, )* ]
        }
    };
}

/// The other routes, whose requests and answers are not JSON of ours. A row:
///
/// ```text
/// METHOD|OTHER "/path" operation, RIGHT, "Summary": route, description;
/// ```
///
/// `route` makes the route of the path's parameters; `description` adds parameters, body and answers to the operation.
macro_rules! other_routes {
    ($(
        $tag:literal $about:literal {
            $(
                $( $method:ident )|+ $path:literal $operation:ident, $right:ident, $summary:literal:
                $route:expr, $description:path;
            )*
        }
    )*) => {
        const OTHER_ROWS: &[RouteRow] = &[ $( $( RouteRow {
            methods: &[ $( stringify!($method) ),+ ],
            path: $path,
            right: $right,
            route: $route,
        }, )* )* ];

        /// The other routes as the document has them.
        pub(super) fn other_groups(shapes: &mut Shapes) -> Vec<Group> {
            vec![ $( {
                let mut group = Group::new($tag, $about);
                $( {
                    let [method, ..] = [ $( stringify!($method) ),+ ];
                    let operation = Operation::new(method, $path, stringify!($operation), $right, $summary);
                    group.operations.push($description(operation, shapes));
                } )*
                group
            }, )* ]
        }
    };
}
